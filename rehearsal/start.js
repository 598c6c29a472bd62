import { runPinned } from '../pinned-node.js';

runPinned('rehearsal/main.ts');
