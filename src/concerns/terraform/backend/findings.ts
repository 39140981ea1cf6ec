import { type FindingIds, findingsOf } from "../../../core/finding.ts";
import { EXIT } from "../../../errors/exit-status.ts";

export const BACKEND_FINDINGS = {
  "terraform.too-old": ["warning", EXIT.findings],
  "backend.no-keys": ["warning", EXIT.findings],
  "backend.other-keys": ["warning", EXIT.findings],
  "backend.secret": ["error", EXIT.findings],
  "backend.not-spaces": ["warning", EXIT.findings],
  "backend.other": ["warning", EXIT.findings],
  "backend.shared": ["warning", EXIT.findings],
  "backend.migrate": ["warning", EXIT.findings],
  "backend.lock": ["error", EXIT.findings],
  "backend.lock-untested": ["info", EXIT.ok],
  "cloud.backend": ["error", EXIT.usage],
} as const satisfies FindingIds;

export const finding = findingsOf(BACKEND_FINDINGS);
