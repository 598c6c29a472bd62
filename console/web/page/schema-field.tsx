import { useId } from 'preact/hooks';
import type { Field } from '../input-form.ts';

/** One member of an input: its name, what it is for, and a control that fits its type. */
export function SchemaField({ field }: { readonly field: Field }) {
  const id = useId();
  const helpId = `${id}-help`;
  return (
    <div class="field">
      <label for={id}>{field.label}</label>
      <Control field={field} id={id} helpId={helpId} />
      <p id={helpId} class="help">
        {field.help}
      </p>
    </div>
  );
}

function Control({ field, id, helpId }: { readonly field: Field; readonly id: string; readonly helpId: string }) {
  const shared = { id, name: field.name, 'aria-describedby': helpId };
  switch (field.kind) {
    case 'choice':
      return (
        <select {...shared}>
          <option value="">{field.standard === undefined ? 'not given' : `default: ${field.standard}`}</option>
          {field.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      );
    case 'choices':
      return (
        <select {...shared} multiple size={Math.min(4, field.choices.length)}>
          {field.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      );
    case 'number':
      return (
        <input
          {...shared}
          type="number"
          min={field.least}
          max={field.most}
          step={1}
          placeholder={field.standard ?? ''}
        />
      );
    case 'json':
      return <textarea {...shared} rows={2} spellcheck={false} placeholder={field.standard ?? 'JSON'} />;
    default:
      return <input {...shared} type="text" autocomplete="off" placeholder={field.standard ?? ''} />;
  }
}
