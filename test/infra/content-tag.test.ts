import { describe, expect, it } from 'vitest';
import { readConfig } from '../../infra/config.ts';
import { contentTag } from '../../infra/content-tag.ts';

describe('contentTag', () => {
  it('is the same for the same content, and begins with the release', () => {
    expect(tag({})).toBe(tag({}));
    expect(tag({})).toMatch(/^5\.3-[0-9a-f]{16}$/);
  });

  it.each([
    { moodleVersion: '5.2' },
    { moodleChecksum: 'a'.repeat(64) },
    { architecture: 'x86_64' },
    { moodleVersion: '5.1', phpVersion: '8.2' },
  ])('is another with %o', (context) => {
    expect(tag(context)).not.toBe(tag({}));
  });

  it('is another with other sources', () => {
    expect(tag({}, 'other')).not.toBe(tag({}));
  });

  it('does not follow from the options of the platform', () => {
    expect(tag({ site: 'other', taskMemory: '4096', config: 'prod', allowHttp: 'true' })).toBe(tag({}));
  });
});

function tag(context: Readonly<Record<string, string>>, sourceHash = 'sources'): string {
  return contentTag(readConfig(context), sourceHash);
}
