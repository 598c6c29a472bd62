import { describe, expect, it } from 'vitest';
import { inspectSystem } from '../../rehearsal/prerequisites/installed-system.ts';
import { missingRequirements, packagesOf } from '../../rehearsal/prerequisites/requirements.ts';

const system = (programs: readonly string[], phpExtensions: readonly string[] = []) => ({
  hasProgram: (name: string | RegExp) =>
    programs.some((program) => (typeof name === 'string' ? program === name : name.test(program))),
  phpExtensions: new Set(phpExtensions),
});

const realMoodle = { realMoodle: true, mariaDb: true };

describe('what a rehearsal needs from the system', () => {
  it('is Redis, Memcached and curl for the stand-in, and nothing of PHP', () => {
    const needs = { realMoodle: false, mariaDb: false };
    expect(packagesOf(missingRequirements(system([]), needs))).toEqual(['curl', 'memcached', 'redis-server']);
  });

  it('is PHP with its extensions and nginx too for a real Moodle', () => {
    const packages = packagesOf(missingRequirements(system(['redis-server', 'memcached']), realMoodle));
    expect(packages).toContain('nginx');
    expect(packages).toContain('php-fpm');
    expect(packages).toContain('php-redis');
    expect(packages).toContain('mariadb-server');
    expect(packages).not.toContain('redis-server');
  });

  it('is a browser only for those who look at the page', () => {
    const programs = system(['redis-server', 'memcached', 'curl']);
    const needs = { realMoodle: false, mariaDb: false };
    expect(packagesOf(missingRequirements(programs, needs))).toEqual([]);
    expect(packagesOf(missingRequirements(programs, { ...needs, browser: true }))).toEqual(['chromium']);
  });

  it('takes a php-fpm of any version for php-fpm', () => {
    const missing = missingRequirements(
      system(['redis-server', 'memcached', 'nginx', 'php', 'php-fpm8.4']),
      realMoodle,
    );
    expect(packagesOf(missing)).not.toContain('php-fpm');
  });

  it('finds programs that only an administrator has in the PATH', () => {
    expect(inspectSystem().hasProgram('ldconfig')).toBe(true);
  });
});
