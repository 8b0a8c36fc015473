/**
 * The adapter for the platform at hand, by the conditions in package.json. It is a file of its own in dist/, so that bundlers
 * that do not know conditions can replace it by name (`browser` in package.json).
 */
export { axiosSetup } from '#adapter';
