import { IdentityError } from "./errors.ts";

const MAX_FILE_BYTES = 16 * 1024;
const GROUP_AND_WORLD = 0o077;

/** What of a file's status decides whether a key in it is private. */
export interface KeyFileStatus {
  readonly uid: number;
  readonly mode: number;
  readonly isFile: boolean;
  readonly sizeBytes: number;
}

export function damaged(path: string, what: string): IdentityError {
  return new IdentityError(
    "E_KEY_FILE_DAMAGED",
    `${path} ${what}; restore it from a backup, or move it away to be given a new id`,
  );
}

/** Throws unless only `ownUid` can have written and read the file. `ownUid` is undefined where the system has no uids. */
export function checkKeyFileStatus(path: string, status: KeyFileStatus, ownUid: number | undefined): void {
  if (!status.isFile) {
    throw new IdentityError("E_KEY_FILE_UNREADABLE", `${path} is not a regular file; name the key file itself`);
  }
  if (ownUid !== undefined && status.uid !== ownUid) {
    throw new IdentityError(
      "E_KEY_FILE_FOREIGN",
      `${path} belongs to user ${status.uid}, this process runs as user ${ownUid}; run as its owner, or give it to this user with chown`,
    );
  }
  if (ownUid !== undefined && (status.mode & GROUP_AND_WORLD) !== 0) {
    const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
    throw new IdentityError(
      "E_KEY_FILE_PERMISSIONS",
      `${path} is open to other users (mode ${mode}); make it private with: chmod 600 ${path}`,
    );
  }
  if (status.sizeBytes > MAX_FILE_BYTES) throw damaged(path, "is too large to be a key file");
}
