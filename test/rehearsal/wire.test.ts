import { describe, expect, it } from 'vitest';
import { decodeQuery } from '../../rehearsal/endpoint/query.ts';
import { encodeXml } from '../../rehearsal/endpoint/xml.ts';
import { generateSecretString } from '../../rehearsal/services/secret-string.ts';

describe('the query protocol', () => {
  it.each<[string, object]>([
    ['Action=A&Version=1&Name=x%20y', { Name: 'x y' }],
    ['Action=A&Names.member.1=a&Names.member.2=b', { Names: ['a', 'b'] }],
    ['Action=A&Names.member.10=b&Names.member.9=a', { Names: ['a', 'b'] }],
    ['Action=A&Ids.CacheNodeId.1=0001', { Ids: ['0001'] }],
    ['Action=A&Tags.member.1.Key=k&Tags.member.1.Value=v', { Tags: [{ Key: 'k', Value: 'v' }] }],
    ['Action=A&Outer.Inner.List.member.1=x', { Outer: { Inner: { List: ['x'] } } }],
    ['Action=A&Map.entry.1.key=a&Map.entry.1.value=1', { Map: { a: '1' } }],
    ['Action=A&M.entry.1.Name=a&M.entry.1.Value.StringValue=1', { M: { a: { StringValue: '1' } } }],
  ])('%s', (body, input) => {
    expect(decodeQuery(body)).toEqual({ action: 'A', input });
  });

  it('leaves out what is not there, and escapes what is', () => {
    const xml = encodeXml(
      'Do',
      { A: undefined, B: [], C: '<&>', D: { E: 1, F: [true] } },
      'urn:x',
      { F: 'Flag' },
      'id',
    );
    expect(xml).toBe(
      '<DoResponse xmlns="urn:x"><DoResult><B></B><C>&lt;&amp;&gt;</C><D><E>1</E><F><Flag>true</Flag></F></D></DoResult>' +
        '<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>',
    );
  });
});

describe('a generated secret', () => {
  it('is a password of the kinds that are asked for', () => {
    for (let round = 0; round < 20; round += 1) {
      const password = generateSecretString({ PasswordLength: 8, ExcludePunctuation: true, ExcludeCharacters: 'abc' });
      expect(password).toMatch(/^(?=.*[d-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9]{8}$/);
      expect(password).not.toMatch(/[abc]/);
    }
    expect(generateSecretString({})).toHaveLength(32);
  });

  it('is put into the template’s object', () => {
    const text = generateSecretString({ SecretStringTemplate: '{"username":"u"}', GenerateStringKey: 'token' });
    expect(JSON.parse(text)).toEqual({ username: 'u', token: expect.stringMatching(/^.{32}$/s) });
  });

  it('refuses what it does not know', () => {
    expect(() => generateSecretString({ Length: 3 } as object)).toThrow('Length');
    expect(() => generateSecretString({ PasswordLength: 2 })).toThrow(/excludes every password/);
  });
});
