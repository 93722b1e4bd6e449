//! The part of `/studies/{study}/data` about electronic signatures.

use leptos::prelude::*;

use crate::component::frame::csrf_field;
use crate::component::table::{head, scrolling};
use crate::format;
use crate::view::{SignatureLine, SignaturesView, ToSign};

/// Who signed what, when, what it means and whether it holds; and the form that signs the current snapshot.
pub(crate) fn signatures(view: &SignaturesView, csrf: Option<&str>) -> AnyView {
    let problem = view.problem.clone();
    view! {
        <section aria-labelledby="signatures">
            <h2 id="signatures">"Signatures"</h2>
            {problem.map(|problem| view! { <p class="note bad" role="alert">{problem}</p> })}
            {listed(&view.signatures)}
            {view.to_sign.as_ref().map(|to_sign| form(to_sign, csrf))}
            {view.to_sign.as_ref().and_then(|to_sign| vouched_form(to_sign, csrf))}
        </section>
    }
    .into_any()
}

fn listed(signatures: &[SignatureLine]) -> AnyView {
    if signatures.is_empty() {
        return view! { <p>"Nothing of this study has been signed yet."</p> }.into_any();
    }
    let heads = view! {
        {head("Record", "")}{head("Signed by", "")}{head("Signed at", "")}{head("Meaning", "")}{head("State", "")}
    };
    let table = view! {
        <table>
            <caption class="vh">"Signatures, oldest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{signatures.iter().map(row).collect_view()}</tbody>
        </table>
    };
    scrolling("Signatures, oldest first".to_owned(), table.into_any())
}

fn row(signature: &SignatureLine) -> AnyView {
    let class = if signature.is_valid { "pill good" } else { "pill high-red" };
    view! {
        <tr>
            <th scope="row"><span title=signature.record_sha256.clone()>{signature.record.clone()}</span></th>
            <td>{signature.name.clone().unwrap_or_else(|| format::NO_VALUE.to_owned())}</td>
            <td><time datetime=format::instant_iso(signature.signed_unix_s)>
                {format::instant(signature.signed_unix_s)}
            </time></td>
            <td>{signature.meaning.clone()}</td>
            <td><span class=class>{signature.said.clone()}</span></td>
        </tr>
    }
    .into_any()
}

fn meanings(to_sign: &ToSign) -> AnyView {
    let meanings = to_sign.meanings.iter().map(|meaning| {
        view! { <option value=meaning.key.clone()>{meaning.label.clone()}</option> }
    });
    meanings.collect_view().into_any()
}

/// A form that signs the record, or leads to where it is signed: between its words and its button it asks for the meaning.
fn signing(
    (to_sign, csrf): (&ToSign, Option<&str>),
    (action, id): (String, &'static str),
    (words, rest): (AnyView, AnyView),
) -> AnyView {
    view! {
        <form class="panel stacked" method="post" action=action>
            {csrf_field(csrf)}
            <input type="hidden" name="record_type" value=to_sign.record_type.clone()/>
            <input type="hidden" name="record" value=to_sign.record.clone()/>
            <input type="hidden" name="record_sha256" value=to_sign.record_sha256.clone()/>
            <p>{words}</p>
            <div class="field">
                <label for=id>"What your signature stands for"</label>
                <select id=id name="meaning">{meanings(to_sign)}</select>
            </div>
            {rest}
        </form>
    }
    .into_any()
}

fn form(to_sign: &ToSign, csrf: Option<&str>) -> AnyView {
    let words = view! {
        "You sign the manifest of the current snapshot "
        <code title=to_sign.record.clone()>{format::short_id(&to_sign.record)}</code>
        ", which names every file by its hash. Its SHA-256 is "<code>{to_sign.record_sha256.clone()}</code>"."
    };
    let rest = view! {
        <div class="field">
            <label for="signature-password">"Your password"</label>
            <input id="signature-password" name="password" type="password" autocomplete="current-password" required=true/>
        </div>
        <div class="field">
            <label for="signature-code">"The code that your authenticator app shows"</label>
            <input id="signature-code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" required=true/>
        </div>
        <div><button class="button primary" type="submit">"Sign"</button></div>
    };
    let place = (to_sign.action.clone(), "signature-meaning");
    signing((to_sign, csrf), place, (words.into_any(), rest.into_any()))
}

/// The way over the reader's identity provider, which asks them again who they are.
fn vouched_form(to_sign: &ToSign, csrf: Option<&str>) -> Option<AnyView> {
    let provider = to_sign.provider.clone()?;
    let button = format!("Sign with {provider}");
    let words = view! {
        "Or sign the same by " {provider} ", which asks you once more who you are. Then you come back here."
    };
    let rest = view! { <div><button class="button" type="submit">{button}</button></div> };
    let place = (format!("{}/provider", to_sign.action), "vouched-meaning");
    Some(signing((to_sign, csrf), place, (words.into_any(), rest.into_any())))
}
