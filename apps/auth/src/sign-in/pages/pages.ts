import { page } from './page.js';
import type { Page, Template } from './page.js';

interface SignIn {
  client: string;
  action: string;
  email: string;
  error: string | undefined;
}

const signInTemplate: Template<SignIn> = page(`
<h1>Sign in</h1>
<p>to continue to <strong><%= it.client %></strong></p>
<% if (it.error) { %><p class="error" id="error" role="alert"><%= it.error %></p><% } %>
<form method="post" action="<%= it.action %>">
  <label for="email">Email address</label>
  <input id="email" name="email" type="email" autocomplete="username" required maxlength="254"
    value="<%= it.email %>" <% if (it.error) { %>aria-invalid="true" aria-describedby="error"<% } %>>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" autocomplete="current-password" required
    <% if (it.error) { %>aria-invalid="true" aria-describedby="error"<% } %>>
  <button type="submit">Sign in</button>
</form>
<form method="post" action="<%= it.action %>/cancel">
  <button type="submit" class="second">Cancel</button>
</form>
`);

export function signInPage(data: SignIn, leadsTo?: string): Page {
  return signInTemplate(data, { title: data.error ? 'Error: Sign in' : 'Sign in', leadsTo });
}

interface Consent {
  client: string;
  action: string;
  email: string;
  /** What it asks for, in words. */
  permissions: readonly string[];
  /** Where the user will be sent, so that a false name does not suffice. */
  destination: string | undefined;
}

const consentTemplate: Template<Consent> = page(`
<h1><%= it.client %> asks for access</h1>
<p>You are signed in as <strong><%= it.email %></strong>. If you allow it, <strong><%= it.client %></strong> can:</p>
<ul><% for (const permission of it.permissions) { %><li><%= permission %></li><% } %></ul>
<% if (it.destination) { %><p>You will go on at <strong><%= it.destination %></strong>.</p><% } %>
<form method="post" action="<%= it.action %>/consent">
  <button type="submit">Allow</button>
</form>
<form method="post" action="<%= it.action %>/cancel">
  <button type="submit" class="second">Do not allow</button>
</form>
`);

export function consentPage(data: Consent, leadsTo?: string): Page {
  return consentTemplate(data, { title: `${data.client} asks for access`, leadsTo });
}

interface DeviceCode {
  action: string;
  xsrf: string;
  code: string;
  error: string | undefined;
}

const deviceCodeTemplate: Template<DeviceCode> = page(`
<h1>Connect a device</h1>
<% if (it.error) { %><p class="error" id="error" role="alert"><%= it.error %></p><% } %>
<form method="post" action="<%= it.action %>">
  <input type="hidden" name="xsrf" value="<%= it.xsrf %>">
  <label for="code">Code that the device shows</label>
  <input id="code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false"
    required value="<%= it.code %>" <% if (it.error) { %>aria-invalid="true" aria-describedby="error"<% } %>>
  <button type="submit">Continue</button>
</form>
`);

export function deviceCodePage(data: DeviceCode): Page {
  const title = data.error ? 'Error: Connect a device' : 'Connect a device';
  return deviceCodeTemplate(data, { title });
}

interface DeviceConfirmation {
  action: string;
  xsrf: string;
  code: string;
  client: string;
  address: string;
}

const deviceConfirmationTemplate: Template<DeviceConfirmation> = page(`
<h1>Is this your device?</h1>
<p><strong><%= it.client %></strong> wants to be connected to your account. It shows this code:</p>
<p class="code"><%= it.code %></p>
<p>It asked from the address <%= it.address %>. Go on only if you started this yourself, on a device
  that you have in front of you.</p>
<form method="post" action="<%= it.action %>">
  <input type="hidden" name="xsrf" value="<%= it.xsrf %>">
  <input type="hidden" name="user_code" value="<%= it.code %>">
  <button type="submit" name="confirm" value="yes">It is mine, continue</button>
  <button type="submit" name="abort" value="yes" class="second">It is not mine</button>
</form>
`);

export function deviceConfirmationPage(data: DeviceConfirmation): Page {
  return deviceConfirmationTemplate(data, { title: 'Is this your device?' });
}

interface Logout {
  action: string;
  xsrf: string;
  client: string | undefined;
}

const logoutTemplate: Template<Logout> = page(`
<h1>Sign out?</h1>
<% if (it.client) { %><p>You have left <strong><%= it.client %></strong>.</p><% } %>
<p>Do you want to sign out everywhere in this browser?</p>
<form method="post" action="<%= it.action %>">
  <input type="hidden" name="xsrf" value="<%= it.xsrf %>">
  <button type="submit" name="logout" value="yes">Sign out</button>
  <button type="submit" class="second">Stay signed in</button>
</form>
`);

export function logoutPage(data: Logout, leadsTo?: string): Page {
  return logoutTemplate(data, { title: 'Sign out?', leadsTo });
}

interface Message {
  heading: string;
  text: string;
}

const messageTemplate: Template<Message> = page(`
<h1><%= it.heading %></h1>
<p><%= it.text %></p>
`);

/** A page that only says something. */
export function messagePage(heading: string, text: string): Page {
  return messageTemplate({ heading, text }, { title: heading });
}
