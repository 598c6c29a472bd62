import { useEffect, useState } from 'preact/hooks';

/** Milliseconds since 1970, anew every second while something goes on. */
export function useNow(goesOn: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!goesOn) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [goesOn]);
  return now;
}
