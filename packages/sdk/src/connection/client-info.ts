/** The application, and what of it speaks to the server. */
export interface CopilotClientInfo {
  applicationName?: string;
  applicationVersion?: string;
  /** A part of the application, such as a plugin. */
  integrationName?: string;
  integrationVersion?: string;
}
