/**
 * The database of a stage: SQLite in the stage's folder, or with E2E_DATABASE=postgres one of its own on the server at
 * ROWHOOK_TEST_POSTGRES, made and dropped with psql.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface StageDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

export const isPostgres = (): boolean => process.env['E2E_DATABASE'] === 'postgres';

export async function openDatabase(folder: string): Promise<StageDatabase> {
  if (!isPostgres()) {
    // It goes with the folder.
    return { url: `sqlite://${join(folder, 'rowhook.db')}`, drop: () => Promise.resolve() };
  }
  const server = process.env['ROWHOOK_TEST_POSTGRES'];
  if (server === undefined)
    throw new Error('ROWHOOK_TEST_POSTGRES must name the PostgreSQL server to test on');
  const name = `rowhook_console_${randomUUID().replaceAll('-', '')}`;
  await psql(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => psql(server, `drop database ${name} with (force)`) };
}

async function psql(server: string, sql: string): Promise<void> {
  await promisify(execFile)('psql', [server, '-v', 'ON_ERROR_STOP=1', '-qc', sql]);
}
