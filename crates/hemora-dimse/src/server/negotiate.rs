//! What is accepted of what a peer proposes (PS3.8 §7.1.1, PS3.7 annex D).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::association::Context;
use crate::pdu::{
    Abort, AssociateAccept, AssociateReject, AssociateRequest, ContextAnswer, ContextProposal,
    ContextResult, Role,
};
use crate::uids::{
    APPLICATION_CONTEXT, EXPLICIT_LITTLE, IMPLICIT_LITTLE, STORAGE_COMMITMENT, VERIFICATION,
    is_image_syntax, is_uid,
};
use crate::{AeTitle, Limits, Refusal};

/// An association that may be opened.
#[derive(Debug)]
pub struct Negotiated {
    pub called: AeTitle,
    pub calling: AeTitle,
    pub accept: AssociateAccept,
    pub contexts: Vec<Arc<Context>>,
}

/// Why it may not.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Reject(AssociateReject),
    /// What the request says makes no sense.
    Abort(Abort),
}

const PERMANENT: u8 = 1;
const TRANSIENT: u8 = 2;
const USER: u8 = 1;
const PROVIDER_ACSE: u8 = 2;
const PROVIDER_PRESENTATION: u8 = 3;

/// Numbers of a refusal (PS3.8 §9.3.4).
pub fn rejection(refusal: Refusal) -> AssociateReject {
    let [result, source, reason] = match refusal {
        Refusal::CallingAe => [PERMANENT, USER, 3],
        Refusal::CalledAe => [PERMANENT, USER, 7],
        Refusal::Congestion => [TRANSIENT, PROVIDER_PRESENTATION, 1],
    };
    AssociateReject { result, source, reason }
}

/// Answers a request; `called` are the names to which the server answers, none: to any.
pub fn negotiate(
    request: &AssociateRequest,
    called: &[AeTitle],
    limits: &Limits,
    accepts: impl Fn(&str) -> bool,
) -> Result<Negotiated, Refused> {
    let reject =
        |result, source, reason| Err(Refused::Reject(AssociateReject { result, source, reason }));
    if request.protocol_version & 1 == 0 {
        return reject(PERMANENT, PROVIDER_ACSE, 2);
    }
    if request.application_context != APPLICATION_CONTEXT {
        return reject(PERMANENT, USER, 2);
    }
    if request.contexts.len() > limits.contexts {
        return reject(PERMANENT, PROVIDER_PRESENTATION, 2);
    }
    let mut ids = BTreeSet::new();
    if !request.contexts.iter().all(|context| context.id % 2 == 1 && ids.insert(context.id)) {
        return Err(Refused::Abort(Abort { source: 2, reason: 6 }));
    }
    let name = |text: &str, refusal| {
        text.parse::<AeTitle>().map_err(|_| Refused::Reject(rejection(refusal)))
    };
    let calling = name(&request.calling_ae, Refusal::CallingAe)?;
    let named = name(&request.called_ae, Refusal::CalledAe)?;
    if !called.is_empty() && !called.contains(&named) {
        return Err(Refused::Reject(rejection(Refusal::CalledAe)));
    }
    let answers: Vec<_> = request.contexts.iter().map(|it| answer(it, &accepts)).collect();
    let both = request.contexts.iter().zip(&answers);
    let contexts: Vec<_> = both
        .filter(|(_, answer)| answer.result == ContextResult::Accepted)
        .map(|(proposal, answer)| {
            Arc::new(Context {
                id: proposal.id,
                abstract_syntax: proposal.abstract_syntax.clone(),
                transfer_syntax: answer.transfer_syntax.clone(),
            })
        })
        .collect();
    let roles = roles(request, &contexts);
    let accept = AssociateAccept { contexts: answers, longest_data: limits.pdu, roles };
    Ok(Negotiated { called: named, calling, accept, contexts })
}

/// The first of the proposed transfer syntaxes that is understood: the peer lists what it has first, so
/// the instance comes as it is.
fn answer(proposal: &ContextProposal, accepts: &impl Fn(&str) -> bool) -> ContextAnswer {
    let is_known = |syntax: &&String| match proposal.abstract_syntax.as_str() {
        VERIFICATION | STORAGE_COMMITMENT => {
            [IMPLICIT_LITTLE, EXPLICIT_LITTLE].contains(&syntax.as_str())
        }
        _ => is_image_syntax(syntax),
    };
    let offered = match proposal.abstract_syntax.as_str() {
        VERIFICATION | STORAGE_COMMITMENT => true,
        class => is_uid(class) && accepts(class),
    };
    let chosen = proposal.transfer_syntaxes.iter().find(is_known);
    let (result, transfer_syntax) = match chosen {
        _ if !offered => (ContextResult::AbstractSyntaxUnknown, IMPLICIT_LITTLE),
        None => (ContextResult::TransferSyntaxesUnknown, IMPLICIT_LITTLE),
        Some(syntax) => (ContextResult::Accepted, syntax.as_str()),
    };
    ContextAnswer { id: proposal.id, result, transfer_syntax: transfer_syntax.to_owned() }
}

/// Answers to role selections: a peer may be the SCP of storage commitment, which reports to us, and
/// SCU of all.
fn roles(request: &AssociateRequest, contexts: &[Arc<Context>]) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for role in &request.roles {
        let class = &role.sop_class_uid;
        let is_accepted = contexts.iter().any(|context| context.abstract_syntax == *class);
        if is_accepted && roles.iter().all(|answered| answered.sop_class_uid != *class) {
            let scp = role.scp && class == STORAGE_COMMITMENT;
            roles.push(Role { sop_class_uid: class.clone(), scu: role.scu, scp });
        }
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

    fn context(id: u8, class: &str, syntaxes: &[&str]) -> ContextProposal {
        ContextProposal {
            id,
            abstract_syntax: class.to_owned(),
            transfer_syntaxes: syntaxes.iter().map(|&it| it.to_owned()).collect(),
        }
    }

    fn request(contexts: Vec<ContextProposal>) -> AssociateRequest {
        AssociateRequest {
            protocol_version: 1,
            called_ae: "HEMORA".to_owned(),
            calling_ae: "CT1".to_owned(),
            application_context: APPLICATION_CONTEXT.to_owned(),
            contexts,
            ..AssociateRequest::default()
        }
    }

    fn answered(request: &AssociateRequest) -> Result<Negotiated, Refused> {
        let called = ["HEMORA".parse().unwrap()];
        negotiate(request, &called, &Limits::default(), |class| class == CT)
    }

    #[test]
    fn each_context_has_its_own_answer() {
        let j2k = "1.2.840.10008.1.2.4.90";
        let video = "1.2.840.10008.1.2.4.102";
        let negotiated = answered(&request(vec![
            context(1, CT, &[video, j2k, IMPLICIT_LITTLE]),
            context(3, CT, &[video]),
            context(5, "1.2.3", &[IMPLICIT_LITTLE]),
            context(7, VERIFICATION, &[j2k, EXPLICIT_LITTLE]),
            context(9, "../etc", &[IMPLICIT_LITTLE]),
        ]))
        .unwrap();
        let results: Vec<_> = negotiated.accept.contexts.iter().map(|it| it.result).collect();
        use ContextResult::{AbstractSyntaxUnknown, Accepted, TransferSyntaxesUnknown};
        assert_eq!(
            results,
            [
                Accepted,
                TransferSyntaxesUnknown,
                AbstractSyntaxUnknown,
                Accepted,
                AbstractSyntaxUnknown
            ]
        );
        let open: Vec<_> =
            negotiated.contexts.iter().map(|it| (it.id, &*it.transfer_syntax)).collect();
        assert_eq!(open, [(1, j2k), (7, EXPLICIT_LITTLE)]);
    }

    #[test]
    fn a_peer_may_be_the_scp_of_storage_commitment_alone() {
        let mut request = request(vec![
            context(1, CT, &[IMPLICIT_LITTLE]),
            context(3, STORAGE_COMMITMENT, &[IMPLICIT_LITTLE]),
        ]);
        let role = |class: &str, scu, scp| Role { sop_class_uid: class.to_owned(), scu, scp };
        request.roles = vec![
            role(CT, true, true),
            role(STORAGE_COMMITMENT, false, true),
            role(STORAGE_COMMITMENT, true, true),
            role("1.2.3", true, true),
        ];
        let roles = answered(&request).unwrap().accept.roles;
        assert_eq!(roles, [role(CT, true, false), role(STORAGE_COMMITMENT, false, true)]);
    }

    #[test]
    fn refusals_name_their_reason() {
        let rejected = |change: fn(&mut AssociateRequest)| {
            let mut request = request(vec![context(1, CT, &[IMPLICIT_LITTLE])]);
            change(&mut request);
            match answered(&request).unwrap_err() {
                Refused::Reject(it) => [it.result, it.source, it.reason],
                Refused::Abort(it) => [0, it.source, it.reason],
            }
        };
        assert_eq!(rejected(|it| it.called_ae = "OTHER".to_owned()), [1, 1, 7]);
        assert_eq!(rejected(|it| it.called_ae = String::new()), [1, 1, 7]);
        assert_eq!(rejected(|it| it.calling_ae = "\u{7}".to_owned()), [1, 1, 3]);
        assert_eq!(rejected(|it| it.application_context = "1.2".to_owned()), [1, 1, 2]);
        assert_eq!(rejected(|it| it.protocol_version = 2), [1, 2, 2]);
        assert_eq!(rejected(|it| it.contexts[0].id = 2), [0, 2, 6]);
        assert_eq!(rejected(|it| it.contexts.push(it.contexts[0].clone())), [0, 2, 6]);
        let many = |it: &mut AssociateRequest| it.contexts = vec![it.contexts[0].clone(); 129];
        assert_eq!(rejected(many), [1, 3, 2]);
    }
}
