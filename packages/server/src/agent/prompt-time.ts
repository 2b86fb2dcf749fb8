/** When a prompt came, which the model reads before it. */

export function withTime(text: string): string {
  return `<current_datetime>${new Date().toISOString()}</current_datetime>\n\n${text}`;
}

/** The text as it was; any other text unchanged. */
export function withoutTime(text: string): string {
  return text.replace(/^<current_datetime>[^<]*<\/current_datetime>\n\n/, "");
}
