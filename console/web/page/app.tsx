import { useEffect, useState } from 'preact/hooks';
import { ExecutionPage } from './execution-page.tsx';
import { Masthead, Trouble } from './masthead.tsx';
import { OpenedHistory } from './opened-history.tsx';
import { OverviewPage } from './overview-page.tsx';
import { listen, type Overview, type SentProgress } from './server.ts';

/** The page: the list of rollouts, one of them, or a file that somebody sent. What is shown stands behind the #. */
export function App() {
  const shown = useAddress();
  const [opened, setOpened] = useState<SentProgress>();
  const { data, trouble } = useStream<Overview>('/api/overview');
  const execution = shown.startsWith('#/execution/')
    ? decodeURIComponent(shown.slice('#/execution/'.length))
    : undefined;
  const isFile = shown === '#/file' && opened !== undefined;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <Masthead
        where={data?.where}
        onOpened={(progress) => {
          setOpened(progress);
          location.hash = '#/file';
        }}
      />
      <main id="main" tabIndex={-1}>
        {execution !== undefined ? (
          <ExecutionPage key={execution} executionArn={execution} />
        ) : isFile ? (
          <OpenedHistory progress={opened} />
        ) : (
          <>
            <Trouble words={trouble} />
            <OverviewPage overview={data} />
          </>
        )}
      </main>
    </>
  );
}

function useAddress(): string {
  const [address, setAddress] = useState(location.hash);
  useEffect(() => {
    const changed = () => {
      setAddress(location.hash);
      // As a browser does when it goes to another page.
      document.getElementById('main')?.focus();
      scrollTo(0, 0);
    };
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return address;
}

/** What a stream said last, and why it says nothing new. While `paused` it is not listened to. */
export function useStream<Data>(path: string, paused = false): { data: Data | undefined; trouble: string | undefined } {
  const [data, setData] = useState<Data>();
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    if (paused) return;
    return listen<Data>(path, (message) => {
      if ('trouble' in message) return setTrouble(message.trouble);
      setTrouble(undefined);
      if ('data' in message) setData(message.data);
    });
  }, [path, paused]);
  return { data, trouble };
}
