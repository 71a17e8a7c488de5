/** What a bundler makes of a file that is no script: its address. */
declare const address: string;
export default address;
