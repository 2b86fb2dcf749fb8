/**
 * The checks of parameters, loaded when a call first needs them. They are half of the server's code and an
 * eighth of its start; what a health check asks at once needs none.
 */
import type { ParamsValidators } from "./method-table.ts";

export class LazyValidators {
  readonly #import: () => Promise<ParamsValidators>;
  #loaded: ParamsValidators | undefined;
  #loading: Promise<ParamsValidators> | undefined;

  constructor(load: () => Promise<ParamsValidators>) {
    this.#import = load;
  }

  /** Undefined before they are there. */
  get loaded(): ParamsValidators | undefined {
    return this.#loaded;
  }

  /** Calls that wait for the same loading go on in the order in which they came. One that failed is tried again. */
  load(): Promise<ParamsValidators> {
    this.#loading ??= this.#import().then(
      (validators) => {
        this.#loaded = validators;
        return validators;
      },
      (error) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }
}
