/** What a session's runs tell those who wait for what becomes of a prompt. */
export interface RunWatcher {
  /** A run has begun; one of a notification goes on with what the prompt before it began in the background. */
  runBegan(messageId: string, isNotification: boolean): void;
  /** A suspended run goes on elsewhere, or later. */
  runEnded(messageId: string, how: "aborted" | "suspended" | "other"): void;
}
