import type { MoodleDatabase, SqlStatements } from '../../lambdas/shared/moodle-database.ts';
import type { Account } from './account.ts';

/**
 * Ends a function after one of its effects (a statement that writes, a call that changes something), as a kill does:
 * what it awaits never answers, so that no handler of the function's own runs. A kill after a read leaves the same
 * state as one after the effect before it, so that this tries every state that a kill can leave.
 */
export class Executioner {
  /** Resolves when it has struck. */
  struck: Promise<void>;
  readonly #at: number;
  #strike: () => void = () => undefined;
  effects = 0;

  /** @param at the how manieth effect is the last; 0 for none */
  constructor(at: number) {
    this.#at = at;
    this.struck = new Promise((resolve) => {
      this.#strike = resolve;
    });
  }

  async after<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = await work();
    this.effects += 1;
    if (this.effects !== this.#at) return result;
    this.#strike();
    return new Promise(() => undefined);
  }

  clients(account: Account): Account['clients'] {
    const { clients } = account;
    const ask = (command: object) => (clients.ecs as { send(command: object): Promise<object> }).send(command);
    const send = (command: object) =>
      /^(Describe|List|Get|BatchGet)/.test(command.constructor.name) ? ask(command) : this.after(() => ask(command));
    const client = { send } as never;
    const others = Object.keys(clients).filter((name) => !['settings', 'database', 'deployedPlugins'].includes(name));
    return {
      ...clients,
      ...Object.fromEntries(others.map((name) => [name, client])),
      database: this.#database(clients.database),
    };
  }

  #database(real: MoodleDatabase): MoodleDatabase {
    const counted = (statements: SqlStatements): SqlStatements => ({
      dialect: statements.dialect,
      query: (sql, parameters) => statements.query(sql, parameters),
      execute: (sql, parameters) => this.after(() => statements.execute(sql, parameters)),
    });
    return {
      ...counted(real),
      access: real.access,
      transaction: (work) => this.after(() => real.transaction((statements) => work(counted(statements)))),
      close: () => real.close(),
    };
  }
}
