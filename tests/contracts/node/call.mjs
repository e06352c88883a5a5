// Calls methods of the vendor's Node client: one JSON line in, one out. Arguments: address, site id, API key.
import { createInterface } from "node:readline";
import { TrackClient } from "customerio-node";

const [baseUrl, siteId, apiKey] = process.argv.slice(2);
const client = new TrackClient(siteId, apiKey, { url: `${baseUrl}/api/v1`, retry: { maxRetries: 0 } });

for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...parameters] = JSON.parse(line);
  let answer;
  try {
    answer = { result: await client[method](...parameters) };
  } catch (error) {
    answer = { error: { status: error.statusCode ?? null, message: error.message } };
  }
  console.log(JSON.stringify(answer));
}
