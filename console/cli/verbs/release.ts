export { release as run } from './hold-or-release.ts';
