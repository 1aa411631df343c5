/** Reads one sample of a relay's `/metrics` (Prometheus text): the sum over all labels, or those that match. */
export async function relayMetric(http: string, name: string, label = ""): Promise<number> {
  const response = await fetch(`http://${http}/metrics`);
  if (!response.ok) throw new Error(`the relay's /metrics answered ${response.status}`);
  let sum = 0;
  for (const line of (await response.text()).split("\n")) {
    if ((line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(label)) {
      sum += Number(line.slice(line.lastIndexOf(" ") + 1));
    }
  }
  return sum;
}
