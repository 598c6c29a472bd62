/** The part of memjs 1.3 that the stand-in uses; the package has no types of its own. */
declare module 'memjs' {
  export class Client {
    static create(
      servers: string,
      options?: { timeout?: number; retries?: number; logger?: { log(line: string): void } },
    ): Client;
    get(key: string): Promise<{ value: Buffer | null }>;
    set(key: string, value: string, options: { expires?: number }): Promise<boolean>;
    delete(key: string): Promise<boolean>;
    /** Calls back once per server. */
    stats(callback: (error: Error | null, server: string, values: Record<string, string> | null) => void): void;
    close(): void;
  }
}
