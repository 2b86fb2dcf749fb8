/** Certificates for tests: an authority, and one certificate each that it signed for a server and a client. */

export interface KeyPair {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface Certificates {
  /** The authority's certificate, PEM. */
  readonly ca: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
}

/** New ones at each call; the server's is for localhost. */
export async function createCertificates(): Promise<Certificates> {
  // Loaded by the few tests that need it.
  const { generate } = await import("selfsigned");
  const authority = await generate([{ name: "commonName", value: "Test authority" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [{ name: "basicConstraints", cA: true }],
  });
  const signed = async (name: string): Promise<KeyPair> => {
    const made = await generate([{ name: "commonName", value: name }], {
      keyType: "ec",
      algorithm: "sha256",
      ca: { key: authority.private, cert: authority.cert },
    });
    return { cert: made.cert, key: made.private };
  };
  return { ca: authority.cert, server: await signed("localhost"), client: await signed("client") };
}
