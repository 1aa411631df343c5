import * as crypto from "node:crypto";
import * as identity from "@starling/crypto-identity";
import { type Figure, median, number, type Target } from "../figure.ts";
import { type Candidate, race, ratios } from "../race.ts";
import { type Api, bundledForBrowser } from "./crypto-identity-bundled.ts";

// crypto-identity beside the bare node:crypto calls that it cannot avoid, and beside itself on its other backend.

const ROUNDS = 9;
const ROUND_MS = 80;
const PAYLOAD_BYTES = 256;
const SHORT_BYTES = 64;
const WARM_UP_RUNS = 50;
const NO_BYTES: Uint8Array = new Uint8Array(0);

export async function cryptoIdentity(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const noble = await bundledForBrowser();
  const own = boxes(identity);
  const browsers = boxes(noble);
  const nobleVerify = signatures(noble).verify;
  const candidates = { ...bare(), ...own, ...signatures(identity), ...ciphers() };
  const others = { nobleSeal: browsers.seal, nobleOpen: browsers.open, nobleVerify };
  const { rates } = await race({ ...candidates, ...others }, { rounds: ROUNDS, roundMs: ROUND_MS, progress });
  type Name = keyof typeof rates;
  const openSsl = `OpenSSL ${process.versions.openssl}`;
  const rate = (name: Name): string => `${number(median(rates[name]) / 1000)} k/s`;
  const figure = (name: string, [us, peer]: readonly [Name, Name], what: string, target?: Target): Figure => ({
    name,
    unit: "x",
    samples: ratios(rates[us], rates[peer]),
    ...(target === undefined ? {} : { target }),
    ours: rate(us),
    peer: `${what}: ${rate(peer)}`,
  });
  const seal = `new key and 2 agreements, ${openSsl}`;
  const open = `2 agreements, ${openSsl}`;
  const gcm = `AES-256-GCM, ${openSsl}`;
  const browser = "its noble backend";
  return [
    figure("seal 256 B", ["seal", "bareSeal"], seal, { atLeast: 0.75 }),
    figure("open 256 B", ["open", "bareOpen"], open, { atLeast: 0.58 }),
    figure("seal 256 B, static secret kept", ["sealKept", "bareSeal"], seal, { atLeast: 1 }),
    figure("open 256 B, static secret kept", ["openKept", "bareOpen"], open, { atLeast: 1 }),
    figure("seal 256 B beside noble", ["seal", "nobleSeal"], browser, { atLeast: 18 }),
    figure("open 256 B beside noble", ["open", "nobleOpen"], browser, { atLeast: 18 }),
    figure("verify", ["verify", "bareVerify"], `Ed25519 verify, ${openSsl}`),
    figure("verify beside noble", ["verify", "nobleVerify"], browser, { atLeast: 8 }),
    figure("sign", ["sign", "bareSign"], `Ed25519 sign, ${openSsl}`),
    figure("Aead.seal 64 B beside a raw key", ["aeadSeal", "rawSeal"], `${gcm}, Buffer as key`, { atLeast: 3 }),
    figure("Aead.seal 64 B", ["aeadSeal", "bareAeadSeal"], `${gcm}, KeyObject`),
    figure("Aead.open 64 B", ["aeadOpen", "bareAeadOpen"], `${gcm}, KeyObject`),
  ];
}

/** What no sealed box of this suite can do without, its keys imported beforehand. */
function bare(): Record<"bareSeal" | "bareOpen" | "bareSign" | "bareVerify", Candidate> {
  const { privateKey } = crypto.generateKeyPairSync("x25519");
  const [one, two] = [1, 2].map(() => crypto.generateKeyPairSync("x25519").publicKey);
  if (one === undefined || two === undefined) throw new Error("no keys");
  const open = (): void => {
    crypto.diffieHellman({ privateKey, publicKey: one });
    crypto.diffieHellman({ privateKey, publicKey: two });
  };
  const signer = crypto.generateKeyPairSync("ed25519");
  const message = crypto.randomBytes(PAYLOAD_BYTES);
  const signature = crypto.sign(null, message, signer.privateKey);
  return {
    bareOpen: { run: open },
    bareSeal: {
      run() {
        crypto.generateKeyPairSync("x25519");
        open();
      },
    },
    bareSign: { run: () => crypto.sign(null, message, signer.privateKey) },
    bareVerify: { run: () => must(crypto.verify(null, message, signer.publicKey, signature)) },
  };
}

/**
 * "Kept": the second and every later message between two. Without: two identities of one key in turn, so that the peer's
 * key is imported and the secret kept with it is always the other one's.
 */
function boxes(api: Api): Record<"seal" | "open" | "sealKept" | "openKept", Candidate> {
  const { systemRandom: random } = api;
  const [alice, bob] = [api.generateIdentity(random), api.generateIdentity(random)];
  const prologue = api.protocolPrologue("bench", "envelope");
  const plaintext = random(PAYLOAD_BYTES);
  const box = api.sealBox({ identity: alice, recipient: bob.id, prologue, plaintext, random });
  const inTurn = (one: identity.Identity): (() => identity.Identity) => {
    const two = api.identityFromSeed(api.seedOf(one));
    let isFirst = false;
    return () => {
      isFirst = !isFirst;
      return isFirst ? one : two;
    };
  };
  const [senders, recipients] = [inTurn(alice), inTurn(bob)];
  const candidates = {
    seal: { run: () => api.sealBox({ identity: senders(), recipient: bob.id, prologue, plaintext, random }) },
    open: { run: () => must(api.openBox({ identity: recipients(), prologue, box })) },
    sealKept: { run: () => api.sealBox({ identity: alice, recipient: bob.id, prologue, plaintext, random }) },
    openKept: { run: () => must(api.openBox({ identity: bob, prologue, box })) },
  };
  // The slow backend gets few runs a round, and the first ones are interpreted.
  for (let i = 0; i < WARM_UP_RUNS; i++) for (const { run } of Object.values(candidates)) run();
  return candidates;
}

function signatures(api: Api): Record<"sign" | "verify", Candidate> {
  const { systemRandom: random } = api;
  const signer = api.generateIdentity(random);
  const [domain, message] = ["bench", random(PAYLOAD_BYTES)];
  const signature = api.sign({ identity: signer, domain, message, random });
  // The first one converts the key and keeps it.
  for (let i = 0; i < WARM_UP_RUNS; i++) must(api.verify({ id: signer.id, domain, message, signature }));
  return {
    sign: { run: () => api.sign({ identity: signer, domain, message, random }) },
    verify: { run: () => must(api.verify({ id: signer.id, domain, message, signature })) },
  };
}

/** One direction of a session, a hundred packets at a time, beside the same cipher by hand. */
function ciphers(): Record<"aeadSeal" | "aeadOpen" | "bareAeadSeal" | "bareAeadOpen" | "rawSeal", Candidate> {
  const operations = 100;
  const { systemRandom: random } = identity;
  const [alice, bob] = [identity.generateIdentity(random), identity.generateIdentity(random)];
  const start = { prologue: NO_BYTES, payload: NO_BYTES, random };
  const initiation = identity.initiateHandshake({ identity: alice, responder: bob.id, ...start });
  const response = identity.respondHandshake({ identity: bob, prologue: NO_BYTES, message: initiation.message });
  const answer = response?.respond(NO_BYTES, random);
  const keys = answer && initiation.finish(answer.message)?.keys;
  if (answer === undefined || keys === undefined) throw new Error("the handshake failed");
  const data = random(16);
  const plaintext = random(SHORT_BYTES);
  const sealed = keys.send.seal(0, data, plaintext);
  const raw = random(32);
  const key = crypto.createSecretKey(raw);
  const nonce = new Uint8Array(12);
  const many = (run: () => unknown): Candidate => ({
    operations,
    run() {
      for (let i = 0; i < operations; i++) run();
    },
  });
  const seal = (secret: crypto.CipherKey): Buffer => {
    const cipher = crypto.createCipheriv("aes-256-gcm", secret, nonce);
    cipher.setAAD(data);
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  };
  const bareSealed = seal(key);
  return {
    aeadSeal: many(() => keys.send.seal(0, data, plaintext)),
    aeadOpen: many(() => must(answer.keys.receive.open(0, data, sealed))),
    bareAeadSeal: many(() => seal(key)),
    bareAeadOpen: many(() => {
      const decipher = crypto.createDecipheriv("aes-256-gcm", key, nonce);
      decipher.setAAD(data);
      decipher.setAuthTag(bareSealed.subarray(SHORT_BYTES));
      return Buffer.concat([decipher.update(bareSealed.subarray(0, SHORT_BYTES)), decipher.final()]);
    }),
    rawSeal: many(() => seal(raw)),
  };
}

function must(value: unknown): void {
  if (value === undefined || value === false) throw new Error("a candidate does not do what it is timed for");
}
