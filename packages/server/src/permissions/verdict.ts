/** How a permission question ended. */
export interface PermissionVerdict {
  readonly allowed: boolean;
  /** What the model is told when it was not. */
  readonly message: string;
  /** Ends the run instead of letting the model try something else. */
  readonly endsRun?: boolean;
}
