/** A prompt as the model is told it, without the time at which it came, which stands before it. */
export function withoutTime<T>(content: T): T {
  if (typeof content !== "string") return content;
  return content.replace(/^<current_datetime>[^<]*<\/current_datetime>\s*/, "") as T;
}
