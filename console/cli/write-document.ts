import { readFileSync, writeFileSync } from 'node:fs';
import { withCommands } from './document.ts';

const file = new URL('../../docs/console.md', import.meta.url);
writeFileSync(file, withCommands(readFileSync(file, 'utf8')));
