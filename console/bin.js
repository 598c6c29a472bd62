#!/usr/bin/env node
import { runPinned } from '../pinned-node.js';

runPinned('console/cli/main.ts');
