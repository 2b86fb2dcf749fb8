/** Changes of a request's body: each undefined when the body has no such part. */

type Json = Record<string, unknown>;

export const withoutField = (name: string) => {
  return ({ [name]: value, ...body }: Json): Json | undefined => (value === undefined ? undefined : body);
};

/** Without a field of an object that the body has; without the object when nothing is left in it. */
export const withoutPart = (name: string, part: string) => {
  return (body: Json): Json | undefined => {
    const { [part]: value, ...rest } = (body[name] ?? {}) as Json;
    if (value === undefined) return undefined;
    const { [name]: _, ...others } = body;
    return Object.keys(rest).length > 0 ? { ...others, [name]: rest } : others;
  };
};
