import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

/** Starts the command of the packed package, and resolves when it says where it listens. */
export function startEmulator(folder) {
  const command = join(folder, 'node_modules/runpod-rx/dist/cli.js');
  const args = [command, 'emulate', join(folder, 'handlers.mjs'), '--port', '0', '--limits', 'none'];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (text) => {
      output += text;
      const [, baseUrl] = /base URL\s+(http:\S+)/.exec(output) ?? [];
      if (baseUrl) resolve({ baseUrl, stop: () => child.kill() });
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`the emulator ended with ${code}\n${output}`)));
  });
}

/** What the program is told: where the emulator is, and addresses at which nobody listens. */
export async function programOptions({ baseUrl }) {
  const port = await closedPort();
  return { baseUrl, closedUrl: `http://127.0.0.1:${port}/v2`, remoteUrl: `http://${ownAddress()}:${port}/v2` };
}

/** An address of this machine that is not a loopback address, so that a key to it may be refused. */
function ownAddress() {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '0.0.0.0';
}

/** A port that was free a moment ago. */
function closedPort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
