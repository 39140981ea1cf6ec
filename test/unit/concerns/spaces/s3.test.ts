import { expect, it } from "vitest";
import { sendToBucket } from "../../../../src/concerns/spaces/s3.ts";
import { bucketsOf } from "../../../../src/concerns/terraform/root/keys.ts";
import { facts } from "../../../fixtures/facts.ts";
import { secret } from "../../samples.ts";

const KEYS = { id: secret("DO00"), secret: secret("s"), session: undefined };
const block = (bucket: string) =>
  `terraform {\n backend "s3" {\n bucket = ${JSON.stringify(bucket)}\n key = "x"\n endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }\n }\n}\n`;

const ODD = [
  "evil.example/",
  "x@evil.example/",
  "evil.example:443/#",
  "evil.example?",
  "evil.example\\",
  "a\u0000b",
  "UPPER",
  "a",
  "a.b",
];

it.each(ODD)("a bucket called %j gets no request", async (bucket) => {
  const http = async () => {
    throw new Error("a request");
  };
  const place = { bucket, region: "nyc3" };
  const isHost = /^[\w.-]+$/.test(bucket);
  if (!isHost) {
    await expect(sendToBucket({ http }, KEYS, place, { method: "GET" })).rejects.toThrow(
      /no bucket name|Invalid URL/,
    );
  }
  const { terraform } = await facts({
    config: "terraform: {}",
    files: { "infra/main.tf": block(bucket) },
  });
  expect(bucketsOf(terraform.roots)).toEqual([]);
});

it("a bucket that the code names is used", async () => {
  const { terraform } = await facts({
    config: "terraform: {}",
    files: { "infra/main.tf": block("acme-tfstate") },
  });
  expect(bucketsOf(terraform.roots)).toEqual([{ bucket: "acme-tfstate", region: "nyc3" }]);
});
