import { StringDecoder } from "node:string_decoder";
import { describe, expect, it } from "vitest";
import { SseParser } from "./sse.ts";

function parseBytes(pieces: readonly Uint8Array[]): string[] {
  const parser = new SseParser();
  const decoder = new StringDecoder("utf8");
  const out: string[] = [];
  for (const piece of pieces) parser.push(decoder.write(piece as Buffer), out);
  parser.push(decoder.end(), out);
  parser.end(out);
  return out;
}

const parse = (text: string): string[] => parseBytes([Buffer.from(text)]);

describe("SseParser", () => {
  it.each([
    ["one event", "data: a\n\n", ["a"]],
    ["no space after the colon", "data:a\n\ndata:  b\n\n", ["a", " b"]],
    ["CRLF and lone CR as line ends", "data: a\r\n\r\ndata: b\r\rdata: c\n\n", ["a", "b", "c"]],
    ["several data lines as one event", "data: a\ndata: b\n\n", ["a\nb"]],
    [
      "event names, ids and comments read over",
      ": hello\nevent: x\nid: 1\nretry: 5\ndata: a\n\n: ping\n\n",
      ["a"],
    ],
    ["fields that only begin like data", "database: x\ndata: a\n\n", ["a"]],
    ["an empty data field", "data\n\ndata:\n\n", ["", ""]],
    ["a byte order mark", "\uFEFFdata: a\n\n", ["a"]],
    ["a last event without its blank line", "data: a\n\ndata: b", ["a", "b"]],
    ["nothing", "", []],
  ])("reads %s", (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it("reads the same wherever the bytes are cut", () => {
    const text =
      ': héllo\r\ndata: {"text":"Grüße 東京 🗼"}\r\n\r\nevent: ü\ndata: 𝒳\ndata: é\n\ndata: last\r\r';
    const bytes = Buffer.from(text);
    const expected = ['{"text":"Grüße 東京 🗼"}', "𝒳\né", "last"];
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second += 7) {
        expect(
          parseBytes([bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]),
        ).toEqual(expected);
      }
    }
    expect(parseBytes([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });
});
