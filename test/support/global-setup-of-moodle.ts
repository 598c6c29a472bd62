import { setUp } from './global-setup.ts';

/** The rollouts look at Moodle's pages, and none of them in a browser. */
export default (): Promise<() => void> => setUp({ browser: false });
