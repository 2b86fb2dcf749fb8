import { PGlite } from "@electric-sql/pglite";
import PgBoss from "pg-boss";

export const QUEUE = "order-questions";

/**
 * A durable queue in a directory: pg-boss over PGlite, which is Postgres in this very process, so that
 * nothing has to be installed. One process at a time may have the directory open.
 *
 * For several workers give pg-boss a real Postgres instead: `new PgBoss(process.env.DATABASE_URL)`;
 * nothing else changes but that `failInterrupted` goes (see there).
 */
export async function openQueue(directory) {
  const database = await PGlite.create(directory);
  const boss = new PgBoss({ db: toBossDatabase(database), schedule: false });
  boss.on("error", (error) => console.error(`queue: ${error.message}`));
  await boss.start();
  await boss.createQueue(QUEUE, { retryLimit: 8, retryDelay: 1, retryBackoff: true, expireInSeconds: 300 });
  return {
    boss,
    failInterrupted: () => failInterrupted(boss, database),
    async close() {
      // Waits for the job that is being worked on.
      await boss.stop({ graceful: true, timeout: 30_000 });
      await database.close();
    },
  };
}

/** What pg-boss asks of a database. Several statements in a text, without values, are a script. */
function toBossDatabase(database) {
  return {
    async executeSql(text, values = []) {
      if (values.length === 0) return { rows: (await database.exec(text)).flatMap((result) => result.rows) };
      const { rows, affectedRows } = await database.query(text, values);
      return { rows, rowCount: rows.length || affectedRows };
    },
  };
}

/**
 * Jobs that a killed worker left half done go back to the queue at once. Right only where no other
 * worker can be at them: on a shared Postgres pg-boss does it when their time (`expireInSeconds`) is up.
 */
async function failInterrupted(boss, database) {
  const { rows } = await database.query("SELECT id FROM pgboss.job WHERE name = $1 AND state = 'active'", [
    QUEUE,
  ]);
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await boss.fail(QUEUE, ids, { reason: "the worker ended in the middle of the job" });
  return ids;
}
