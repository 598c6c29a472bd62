import type { MoodleDatabase, SqlStatements } from '../../lambdas/shared/moodle-database.ts';
import type { Account } from './account.ts';

/**
 * Ends a function after one of its effects (a statement that writes, a call that changes something), as a kill does:
 * what it awaits never answers, so that no handler of the function's own runs. A kill after a read leaves the same
 * state as one after the effect before it.
 *
 * Every effect is the last of its call once: the call after that finds what is done already, does the next one, and is
 * ended in its turn. So one run of a phase comes by every state that a kill can leave.
 */
export class Executioner {
  readonly #struckAt = new Set<string>();
  #strike: () => void = () => undefined;

  /** How often it struck. */
  get strikes(): number {
    return this.#struckAt.size;
  }

  /**
   * Calls a function until it ends by itself, well or not.
   *
   * @param call is given the clients of one instance of the function
   */
  async torment<Clients extends Account['clients'], Result>(
    account: { readonly clients: Clients; readonly database: MoodleDatabase },
    call: (clients: Clients) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      const struck = new Promise<void>((resolve) => {
        this.#strike = resolve;
      });
      const ended = call(this.#clients(account.clients)).then((result) => ({ result }));
      const end = await Promise.race([ended, struck]);
      if (end) return end.result;
      // The connection goes with the function, and with it a transaction that was open.
      await account.database.close();
    }
  }

  async #after<Result>(effect: string, work: () => Promise<Result>): Promise<Result> {
    const result = await work();
    if (this.#struckAt.has(effect)) return result;
    this.#struckAt.add(effect);
    this.#strike();
    return new Promise(() => undefined);
  }

  #clients<Clients extends Account['clients']>(clients: Clients): Clients {
    const ask = (command: object) => (clients.ecs as { send(command: object): Promise<object> }).send(command);
    const send = (command: { readonly input?: object }) => {
      const name = command.constructor.name;
      if (/^(Describe|List|Get|BatchGet)/.test(name)) return ask(command);
      return this.#after(`${name} ${JSON.stringify(command.input)}`, () => ask(command));
    };
    const client = { send } as never;
    const others = Object.keys(clients).filter((name) => !['settings', 'database', 'deployedPlugins'].includes(name));
    return {
      ...clients,
      ...Object.fromEntries(others.map((name) => [name, client])),
      database: this.#database(clients.database),
    };
  }

  #database(real: MoodleDatabase): MoodleDatabase {
    const counted = (statements: SqlStatements, where = ''): SqlStatements => ({
      dialect: statements.dialect,
      query: (sql, parameters) => statements.query(sql, parameters),
      execute: (sql, parameters) =>
        this.#after(`${where}${sql} ${JSON.stringify(parameters)}`, () => statements.execute(sql, parameters)),
    });
    return {
      ...counted(real),
      access: real.access,
      transaction: (work) =>
        this.#after(`COMMIT of ${work}`, () => real.transaction((statements) => work(counted(statements, 'in it: ')))),
      close: () => real.close(),
    };
  }
}
