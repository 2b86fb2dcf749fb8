/**
 * Whether the runtime answers in time: it takes connections, knows the token, and is not stuck.
 * Never rejects.
 *
 * @param {() => import("@github/copilot-sdk").CopilotClient} createClient
 * @returns {Promise<{ healthy: true, version: string, ms: number } | { healthy: false, reason: string }>}
 */
export async function checkHealth(createClient, deadlineMs = 2_000) {
  const client = createClient();
  const started = performance.now();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    const { version } = await Promise.race([late, statusOf(client)]);
    return { healthy: true, version, ms: Math.round(performance.now() - started) };
  } catch (error) {
    return { healthy: false, reason: error.message };
  } finally {
    clearTimeout(timer);
    await client.forceStop();
  }
}

async function statusOf(client) {
  await client.start();
  await client.ping("health");
  return client.getStatus();
}
