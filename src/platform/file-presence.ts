import { access } from 'node:fs/promises';

/** Whether a file or folder is there. A disk that does not answer is no absence: that is thrown, as
 *  any other error of the system. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
