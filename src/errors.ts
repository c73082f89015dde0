// The one shape of failure. Thrown everywhere, printed once, in bin/.

/** What a failure knows about itself; every field is optional but the message. */
export interface ErrorDetails {
  /** JSON pointer into config.json of what asked for the failing thing, as `/mounts/3/options/1`. */
  readonly pointer?: string | undefined;
  /** The call as `runt explain` prints it. */
  readonly call?: string | undefined;
  /** errno by name, as `EPERM`. */
  readonly errno?: string | undefined;
  /** What most likely helps. */
  readonly hint?: string | undefined;
  /** What the kernel's own message log said (fsopen(2)), line by line. */
  readonly kernel?: readonly string[] | undefined;
  /** `config.json:57:21`. */
  readonly position?: string | undefined;
  /** Exit status of runt; 1 unless a command's contract says otherwise. */
  readonly exitCode?: number | undefined;
  /** The command line itself is wrong: help is shown with the error. */
  readonly usage?: boolean;
  /** Further problems found at the same time. */
  readonly more?: readonly { readonly pointer: string; readonly message: string; readonly position: string; readonly hint?: string | undefined }[];
  readonly cause?: unknown;
}

/** A failure that has been understood: its text is for the user, and no stack trace is ever shown. */
export class RuntimeError extends Error {
  readonly details: ErrorDetails;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RuntimeError';
    this.details = details;
  }
}
