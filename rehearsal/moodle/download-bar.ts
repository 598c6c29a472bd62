import type { Screen } from '../../console/terminal.ts';
import type { Progress } from './download.ts';

const width = 30;

/** A progress bar that is redrawn on a terminal; elsewhere one line for every tenth. */
export function downloadBar(screen: Screen): { progress: Progress; end(): void } {
  let tenths = -1;
  let drawn = false;
  return {
    progress(received, total) {
      const megabytes = `${(received / 1e6).toFixed(1)} MB`;
      const share = total ? received / total : undefined;
      const reached = share === undefined ? Math.floor(received / 10e6) : Math.floor(share * 10);
      if (screen.isTTY) {
        const filled = Math.round((share ?? 0) * width);
        const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] `;
        screen.write(`\r\x1b[KDownloading Moodle ${bar}${megabytes}`);
        drawn = true;
      } else if (reached !== tenths) {
        screen.write(`Downloading Moodle: ${megabytes}${total ? ` of ${(total / 1e6).toFixed(1)} MB` : ''}\n`);
      }
      tenths = reached;
    },
    end() {
      if (drawn) screen.write('\n');
    },
  };
}
