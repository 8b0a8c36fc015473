/** The versions of Angular that are tried: packages that exist together, since Angular's packages are published apart. */
export const versions = {
  22: { framework: '22.2.0', tools: '22.2.0', typescript: '6.0.3', zone: '0.16.1', node: '22' },
  21: { framework: '21.2.24', tools: '21.2.24', typescript: '5.9.3', zone: '0.15.1', node: '22' },
  20: { framework: '20.3.32', tools: '20.3.37', typescript: '5.8.3', zone: '0.15.1', node: '22' },
};

export const newest = '22';

/** What the application's package.json says. */
export function packageJson(version, packed) {
  const { framework, tools, typescript, zone } = versions[version];
  const all = (names, at) => Object.fromEntries(names.map((name) => [`@angular/${name}`, at]));
  return {
    name: 'fixture',
    private: true,
    type: 'module',
    dependencies: {
      ...all(['common', 'compiler', 'core', 'platform-browser', 'platform-server', 'router'], framework),
      ...all(['ssr'], tools),
      'runpod-rx': `file:${packed}`,
      rxjs: '7.8.2',
      tslib: '2.8.1',
      'zone.js': zone,
    },
    devDependencies: {
      ...all(['build', 'cli'], tools),
      ...all(['compiler-cli'], framework),
      '@types/node': '20.19.0',
      typescript,
    },
  };
}
