/** The version of the protocol that SDKs from 0.1.32 on speak. */
export const PROTOCOL_VERSION = 3;
