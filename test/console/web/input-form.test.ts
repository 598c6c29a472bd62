import { describe, expect, it } from 'vitest';
import { inputSchema, rolloutNames } from '../../../console/api/input-schemas.ts';
import { fieldsOf, inputFrom } from '../../../console/web/input-form.ts';

const schema = {
  properties: {
    nodes: { type: 'integer', minimum: 1, maximum: 9, description: 'How many.' },
    finish: { enum: ['unattended', 'browser'], default: 'unattended' },
    existingSite: { title: 'Brought here', type: 'boolean', default: false },
    what: { type: 'array', items: { enum: ['plugins', 'core'] }, default: ['plugins'] },
    plugins: { type: 'array', items: { $ref: '#/definitions/component' } },
    add: { type: 'array', items: { type: 'object' } },
    reason: { type: 'string' },
  },
  definitions: { component: { type: 'string' } },
};

function form(...given: readonly (readonly [string, string])[]): FormData {
  const data = new FormData();
  for (const [name, value] of given) data.append(name, value);
  return data;
}

describe('a form made from a schema', () => {
  const fields = fieldsOf(schema);

  it('has a control that fits the type of each member', () => {
    expect(fields.map(({ name, kind }) => [name, kind])).toEqual([
      ['nodes', 'number'],
      ['finish', 'choice'],
      ['existingSite', 'choice'],
      ['what', 'choices'],
      ['plugins', 'words'],
      ['add', 'json'],
      ['reason', 'text'],
    ]);
    expect(fields[0]).toMatchObject({ label: 'Nodes', help: 'How many.', least: 1, most: 9, standard: undefined });
    expect(fields[2]).toMatchObject({ label: 'Brought here', choices: ['true', 'false'], standard: 'false' });
    expect(fields.find(({ name }) => name === 'finish')).toMatchObject({ standard: 'unattended' });
  });

  it('gives the input with the types that the schema asks for', () => {
    const filled = form(
      ['nodes', '3'],
      ['finish', 'browser'],
      ['existingSite', 'false'],
      ['what', 'plugins'],
      ['what', 'core'],
      ['plugins', ' mod_attendance, ,block_stash'],
      ['add', '[{"component":"mod_hvp"}]'],
      ['reason', 'first'],
    );
    expect(inputFrom(fields, filled)).toEqual({
      nodes: 3,
      finish: 'browser',
      existingSite: false,
      what: ['plugins', 'core'],
      plugins: ['mod_attendance', 'block_stash'],
      add: [{ component: 'mod_hvp' }],
      reason: 'first',
    });
  });

  it('leaves out what is left empty', () => {
    expect(inputFrom(fields, form(['nodes', ''], ['reason', ''], ['plugins', '']))).toEqual({});
  });

  it('names the field whose JSON is none', () => {
    expect(() => inputFrom(fields, form(['add', '[{']))).toThrow(/“Add” is not JSON/);
  });

  it('has a label for every member of every rollout’s input, and words for what it is for', () => {
    for (const rollout of rolloutNames()) {
      const made = fieldsOf(inputSchema(rollout));
      expect(made.length).toBeGreaterThan(3);
      for (const { label, help } of made) expect([label, help]).not.toContain('');
    }
  });

  it('is empty for no schema', () => {
    expect(fieldsOf(undefined)).toEqual([]);
  });
});
