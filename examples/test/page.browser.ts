import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { createNode } from "@starling/node";
import { chromium } from "playwright-core";

test("the page sends to a node and hears from it", async () => {
  const html = readFileSync(new URL("../page.html", import.meta.url));
  const files = createServer((_request, response) => response.setHeader("content-type", "text/html").end(html));
  await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
  const dataDir = mkdtempSync(join(tmpdir(), "starling-"));
  const common = { listen: "127.0.0.1:0", network: "examples" };
  const node = await createNode({ ...common, dataDir, http: "127.0.0.1:0", httpOrigin: [origin] });
  const other = await createNode({ ...common, bootstrap: [node.contact] });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "chromium" });
  try {
    const token = readFileSync(join(dataDir, "http-token"), "utf8").trim();
    const inbox = await other.client.subscribe({ events: ["message"] });
    const page = await browser.newPage();
    await page.goto(origin);
    await page.getByLabel("Node").fill(`http://${node.http}/#token=${token}`);
    await page.getByLabel("To").fill(other.id);
    await page.getByLabel("Text").fill("€ü from a page");
    await page.getByRole("button", { name: "Send" }).click();
    const { value } = await inbox.next();
    expect(new TextDecoder().decode(value?.content)).toBe("€ü from a page");
    await page.getByText("delivered, session, 1 hops").waitFor();
    await other.client.submit({ to: node.id, content: new TextEncoder().encode("€ü to a page"), topic: "page" });
    await page.getByText(`${other.id.slice(0, 8)} says €ü to a page`).waitFor();
  } finally {
    await browser.close();
    await other.close();
    await node.close();
    files.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}, 60_000);
