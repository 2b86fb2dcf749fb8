/** Schemas that describe values, for the model, and check them. */

/** A schema library's schema: anything that says itself as JSON Schema. Zod 4 does. */
export interface ZodSchema<T = unknown> {
  _output: T;
  /** The schema as JSON Schema. */
  toJSONSchema(): Record<string, unknown>;
}

/** A schema of Zod 3, which is translated here. */
export interface ZodV3Schema<T = unknown> {
  _output: T;
  _def: { typeName?: unknown };
}

/** Where a value does not fit, and why. */
export interface StandardSchemaIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** The checked value, or the reasons why a value does not fit. */
export type StandardSchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<StandardSchemaIssue> };

/**
 * A schema by the convention Standard Schema, as Zod 4, Valibot and ArkType have it. It says itself as JSON Schema
 * (`jsonSchema`, as Zod and ArkType do), or by its library's converter: Valibot needs `@valibot/to-json-schema`.
 */
export interface StandardSchema<T = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    /** Checks a value, and gives what the schema makes of it. */
    readonly validate: (value: unknown) => StandardSchemaResult<T> | Promise<StandardSchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** A schema that describes a typed result, and parses it. */
export interface ResponseSchema<T = unknown> extends ZodSchema<T> {
  /** Gives the typed result. @throws the library's error when the value does not fit. */
  parse(value: unknown): T;
}

/** A schema of any kind; JSON Schema describes, and checks nothing here. */
export type AnySchema<T = unknown> =
  | ZodSchema<T>
  | ZodV3Schema<T>
  | StandardSchema<T>
  | Record<string, unknown>;
