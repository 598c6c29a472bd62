export { refuse as run } from './decide.ts';
