/** A JSON-RPC client that counts an answer's bytes instead of keeping them: some are larger than a string can be. */
import { once } from "node:events";
import { connect } from "node:net";

/**
 * Sends requests one after the other on one connection.
 * @returns {Promise<{bytes: number, head: string, tail: string}[]>} of each answer its size, beginning and end
 */
export async function rawRequests(port, requests) {
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  await once(socket, "connect");
  const answers = [];
  const reader = createReader(socket);
  for (const [index, { method, params }] of requests.entries()) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: index + 1, method, params }));
    socket.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
    answers.push(await reader.answerTo(index + 1));
  }
  socket.destroy();
  return answers;
}

function createReader(socket) {
  const pieces = socket[Symbol.asyncIterator]();
  let waiting = Buffer.alloc(0);

  async function more() {
    const { value, done } = await pieces.next();
    if (done) throw new Error("the runtime closed the connection");
    return value;
  }

  async function frame() {
    let end;
    while ((end = waiting.indexOf("\r\n\r\n")) < 0) waiting = Buffer.concat([waiting, await more()]);
    const length = Number(/Content-Length: (\d+)/i.exec(waiting.toString("latin1", 0, end))[1]);
    waiting = waiting.subarray(end + 4);
    let head = "";
    let tail = "";
    for (let left = length; left > 0; ) {
      if (waiting.length === 0) waiting = await more();
      const part = waiting.subarray(0, left);
      waiting = waiting.subarray(part.length);
      left -= part.length;
      if (head.length < 200) head += part.toString("latin1", 0, 200);
      tail = (tail + part.toString("latin1", Math.max(0, part.length - 200))).slice(-200);
    }
    return { bytes: length, head, tail };
  }

  return {
    async answerTo(id) {
      for (;;) {
        const answer = await frame();
        // Notifications and the server's own requests have a method.
        if (answer.head.includes('"method":')) continue;
        if (answer.head.includes('"error":')) throw new Error(`request ${id} failed: ${answer.head}`);
        return answer;
      }
    },
  };
}
