export { approve as run } from './decide.ts';
