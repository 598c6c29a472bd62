import { expect, test } from 'vitest';
import { type PlannedTask, plan } from '../../rehearsal/machines/ecs/plan.ts';

const rolling = { minimumHealthyPercent: 100, maximumPercent: 200 };
const single = { minimumHealthyPercent: 0, maximumPercent: 100 };

/** `N` new and healthy, `n` new and not yet, `O` old and healthy, `o` old and ill. */
function tasks(letters: string): PlannedTask[] {
  return [...letters].map((letter, index) => ({
    id: `${letter}${index}`,
    primary: letter.toLowerCase() === 'n',
    healthy: letter === letter.toUpperCase(),
  }));
}

test.each([
  ['fills up an empty service', 3, rolling, '', 3, []],
  ['rests at the desired count', 2, rolling, 'NN', 0, []],
  ['starts all new ones beside the old', 2, rolling, 'OO', 2, []],
  ['keeps the old while the new are not healthy', 2, rolling, 'OOnn', 0, []],
  ['lets one old go for each new healthy one', 2, rolling, 'OONn', 0, ['O0']],
  ['lets the last old go', 2, rolling, 'ONN', 0, ['O0']],
  ['replaces a single node with no gap', 1, rolling, 'O', 1, []],
  ['stops the single old one only when the new is healthy', 1, rolling, 'ON', 0, ['O0']],
  ['stops first where there is no room', 1, single, 'O', 0, ['O0']],
  ['then starts', 1, single, '', 1, []],
  [
    'goes half by half with minimum 50 and maximum 100',
    4,
    { minimumHealthyPercent: 50, maximumPercent: 100 },
    'OOOO',
    0,
    ['O0', 'O1'],
  ],
  ['rounds the minimum up', 3, { minimumHealthyPercent: 50, maximumPercent: 100 }, 'OOO', 0, ['O0']],
  ['rounds the maximum down', 3, { minimumHealthyPercent: 100, maximumPercent: 150 }, 'OOO', 1, []],
  ['scales in', 1, rolling, 'NNN', 0, ['N1', 'N2']],
  ['scales in to nothing, whatever the deployment', 0, rolling, 'oOnN', 0, ['n2', 'N3', 'o0', 'O1']],
  ['replaces ill old ones once the new are started', 2, rolling, 'oonn', 0, ['o0', 'o1']],
])('%s', (_, desired, configuration, letters, start, stop) => {
  expect(plan(desired, configuration, tasks(letters), true)).toEqual({ start, stop });
});

test('starts nothing while starts are held back', () => {
  expect(plan(2, rolling, tasks('O'), false)).toEqual({ start: 0, stop: [] });
});
