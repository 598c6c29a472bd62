export { hold as run } from './hold-or-release.ts';
