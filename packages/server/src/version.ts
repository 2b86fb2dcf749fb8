/** The version of the package; put in when it is bundled. */
declare const RIGHTSEAT_VERSION: string | undefined;

export const VERSION: string = typeof RIGHTSEAT_VERSION === "string" ? RIGHTSEAT_VERSION : "0.0.0-source";
