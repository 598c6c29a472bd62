import mysql from 'mysql2/promise';
import { type Database, type DatabaseSettings, type Queryable, tlsOf, transaction, type Words } from '../database.ts';

const words: Words = {
  now: 'UTC_TIMESTAMP(6)',
  epoch: (time) => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${time}) / 1e6`,
  orUpdate: (_key, columns) =>
    `ON DUPLICATE KEY UPDATE ${columns.map((column) => `${column} = VALUES(${column})`).join(', ')}`,
  schema: 'DATABASE()',
  serial: 'bigint AUTO_INCREMENT',
  binary: 'longblob',
};

export function openMysql(settings: DatabaseSettings): Database {
  const { database } = settings;
  const tls = tlsOf(settings);
  const configuration: mysql.ConnectionOptions = {
    host: database.host,
    port: database.port,
    database: database.name,
    user: database.user,
    password: database.password,
    // The name too, which pg compares by itself.
    ...(tls && { ssl: { ...tls, verifyIdentity: tls.rejectUnauthorized } }),
    connectTimeout: 10_000,
    charset: 'utf8mb4_unicode_ci',
  };
  const pool = mysql.createPool({ ...configuration, connectionLimit: 5 });
  const queryable = (on: Pick<mysql.Pool, 'query'>): Queryable => ({
    words,
    async query<Row extends object>(sql: string, values: unknown[] = []) {
      const order: unknown[] = [];
      const marked = sql.replace(/\$(\d+)/g, (_, number) => {
        order.push(values[Number(number) - 1]);
        return '?';
      });
      const [rows] = await on.query(marked, order);
      return { rows: Array.isArray(rows) ? (rows as Row[]) : [] };
    },
  });
  const within = <T>(begin: string, work: (connection: Queryable) => Promise<T>): Promise<T> =>
    transaction(() => pool.getConnection(), queryable, begin, work);
  return {
    ...queryable(pool),
    prefix: database.prefix,
    transaction: (work) => within('START TRANSACTION', work),
    snapshot: (work) => within('START TRANSACTION WITH CONSISTENT SNAPSHOT', work),
    async tryLock(name, lost) {
      const connection = await mysql.createConnection(configuration);
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        `SELECT GET_LOCK(CONCAT('moodle_lifecycle.${name} ', LEFT(DATABASE(), 39)), 0) AS locked`,
      );
      if (rows[0]?.locked !== 1) {
        await connection.end();
        return undefined;
      }
      connection.on('error', lost);
      return () => connection.end();
    },
    close: () => pool.end(),
  };
}
