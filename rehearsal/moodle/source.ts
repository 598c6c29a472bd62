/** Which Moodle a rehearsal's nodes run. */
export type MoodleSource =
  | { readonly kind: 'stand-in' }
  | {
      readonly kind: 'real';
      /** Folder of Moodle's code; never written to. Absolute. */
      readonly directory: string;
      /** `$release` of its version.php. */
      readonly release: string;
      /** `$branch` of its version.php as a number, for example 405. */
      readonly branch: number;
      /** Folders of other releases, which images can be built with, by version: `5.3.1`. */
      readonly otherReleases?: ReadonlyMap<string, string>;
    };
