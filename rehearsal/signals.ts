const endings: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The first signal that asks this process to end. A second one ends it at once, as if nobody listened. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const hear = (signal: NodeJS.Signals) => {
      for (const ending of endings) process.removeListener(ending, hear);
      resolve(signal);
    };
    for (const ending of endings) process.on(ending, hear);
  });
}
