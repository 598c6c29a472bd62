import { SFNClient } from '@aws-sdk/client-sfn';
import { drawRollouts, escaped } from './rollout-view/html.ts';
import { readRollouts } from './rollout-view/read-rollouts.ts';

/** What CloudWatch gives a custom widget, as far as it is used here. Its parameters decide over nothing. */
export interface WidgetEvent {
  /** CloudWatch asks what the widget is, for its own documentation. */
  readonly describe?: boolean;
  readonly widgetContext?: { readonly theme?: string };
}

const description = `## Rollouts of the site
The phases of the rollout that runs, or of the last one, and how the last ones ended. It takes no parameters.`;

let client: SFNClient | undefined;

/**
 * A custom widget of a CloudWatch dashboard: HTML, or Markdown when it is asked what it is. It never throws: the
 * dashboard would show a stack trace where the operator looks for a sentence.
 */
export async function handler({ describe, widgetContext }: WidgetEvent): Promise<string> {
  if (describe) return description;
  const site = process.env.SITE ?? '';
  try {
    client ??= new SFNClient({});
    const machines = JSON.parse(process.env.ROLLOUTS ?? '{}') as Record<string, string>;
    const theme = widgetContext?.theme === 'dark' ? 'dark' : 'light';
    return drawRollouts(site, await readRollouts(client, machines), new Date(), theme);
  } catch (error) {
    console.log(
      JSON.stringify({
        level: 'error',
        site,
        event: 'failed',
        stack: error instanceof Error ? error.stack : String(error),
      }),
    );
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return `<p>The rollouts of ${escaped(site)} could not be read (${escaped(why)}). Refresh the dashboard; if it stays so, see the log of this widget's function.</p>`;
  }
}
